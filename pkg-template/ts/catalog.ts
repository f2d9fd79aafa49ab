// Made by scripts/catalog.mjs from src/catalog/catalog.json: change those, not this file.

/**
 * The catalogued entities by OData collection. Int64 and Decimal are texts (see `numbers` of the client), times ISO 8601 texts;
 * a point in time without date is "1900-01-01T00:00:00Z". The service gives empty texts rather than null for most properties.
 */
export interface Catalog {
  /** Definition Groups. Key: Name, shared by all companies. */
  DataManagementDefinitionGroups: {
    Name: string;
    ProjectCategory: DMFProjectCategory | null;
    OperationType: DMFOperationType | null;
    GenerateDataPackage: NoYes | null;
    Description: string | null;
    TruncateEntityData: NoYes | null;
  };
  /** Entities for a processing group. Key: DefinitionGroupId, EntityName, shared by all companies. */
  DataManagementDefinitionGroupDetails: {
    DefinitionGroupId: string;
    EntityName: string;
    RunValidateField: NoYes | null;
    LevelInExecutionUnit: number;
    InputFilePath: string | null;
    RunBusinessValidation: NoYes | null;
    EntityCategory: EntityCategory | null;
    FailExecutionUnitOnError: NoYes | null;
    SkipStaging: NoYes | null;
    QueryForODBC: string | null;
    RunBusinessLogic: NoYes | null;
    AutoGenerateMapping: NoYes | null;
    QueryData: string | null;
    IsTransformed: NoYes | null;
    ParentEntityName: string | null;
    SysModule: DMFModule | null;
    EntityXMLName: string | null;
    Tags: string | null;
    SequenceInLevel: number;
    DefaultRefreshType: DMFRefreshType | null;
    Disable: NoYes | null;
    ExcelSheetName: string | null;
    SampleFilePathOriginal: string | null;
    SampleFilePath: string | null;
    ExecutionUnit: number;
    SourceFormat: string | null;
    PackageFilePath: string | null;
    ValidationStatus: NoYesError | null;
    FailLevelOnError: NoYes | null;
  };
  /** Data management. Key: EntityName, shared by all companies. */
  DataManagementEntities: {
    EntityName: string;
    EntityIsEnabled: NoYes | null;
    TargetName: string | null;
    CountryRegionCodes: string | null;
    IsShared: NoYes | null;
    ChangeTrackingType: DMFChangeTrackingType | null;
    RecVersionValue: number;
    EntityKey: string | null;
    Category: EntityCategory | null;
    StagingTableName: string | null;
    Tags: string | null;
    Modules: string | null;
    ConfigurationKeyName: string | null;
  };
  /** Job runs. Key: JobId, shared by all companies. */
  DataManagementExecutionJobs: {
    JobId: string;
    Description: string | null;
  };
  /** DMF data project execution. Key: DefinitionGroupId, JobId, EntityName, shared by all companies. */
  DataManagementExecutionJobDetails: {
    DefinitionGroupId: string;
    JobId: string;
    EntityName: string;
    LevelInExecutionUnit: number;
    StagingStatus: DMFBatchJobStatus | null;
    RunBusinessValidation: NoYes | null;
    FailExecutionUnitOnError: NoYes | null;
    FilePath: string | null;
    RunBusinessLogic: NoYes | null;
    TargetStartDateTime: string;
    StagingRecordsToBeProcessedCount: number;
    StagingStartDateTime: string;
    TargetRecordsUpdatedCount: number;
    NumberOfRowsToSkip: number;
    TargetStatus: DMFBatchJobStatus | null;
    SequenceInLevel: number;
    TargetRecordsCreatedCount: number;
    StagingEndDateTime: string;
    ParallelTaskCount: number;
    ExecuteTargetStep: NoYes | null;
    ExcelSheetName: string | null;
    StagingRecordsCreatedCount: number;
    TargetEndDateTime: string;
    IgnoreError: NoYes | null;
    CreateErrorFile: NoYes | null;
    ExecutionUnit: number;
    FirstRowIsHeader: NoYes | null;
    SourceFormat: string | null;
    SequenceNumber: number;
    FailLevelOnError: NoYes | null;
  };
  /** CLM integration contract. Key: dataAreaId, ContractId, by company. */
  CLMIntegrationContracts: {
    dataAreaId: string;
    ContractId: string;
    ContactPersonId: string | null;
    ContractStatus: CLMIntegrationContractStatus | null;
    AccountRelationId: string | null;
    PartyNumber: string | null;
    ExternalContractId: string | null;
    ExpirationDate: string;
    RequesterWorkerEmail: string | null;
    RequesterWorkerName: string | null;
    LatestAmendmentId: string | null;
    AmendmentInProcess: NoYes | null;
    EffectiveDate: string;
    LatestExternalAmendmentId: string | null;
    ContractName: string | null;
    LegalEntityId: string | null;
    AccountType: CLMIntegrationContractAccountType | null;
    ContractType: string | null;
  };
  /** CLM integration contract types. Key: Name, shared by all companies. */
  CLMIntegrationContractTypes: {
    Name: string;
    Description: string | null;
  };
  /** CLM integration purchase agreements. Key: dataAreaId, PurchaseAgreementId, by company. */
  CLMIntegrationPurchaseAgreements: {
    dataAreaId: string;
    PurchaseAgreementId: string;
    PurchasingPurpose: string | null;
    InternetAddress: string | null;
    ExternalContractId: string | null;
    AgreementStatus: AgreementState | null;
    BuyingLegalEntityId: string | null;
    AgreementVatAmount: string;
    VendorPaymentMethodSpecificationName: string | null;
    IsInterestBasedOnCentralEuropeanBank: NoYes | null;
    AgreementVendorAccountNumber: string | null;
    DeliveryAddressLocationId: string | null;
    InvoiceVendorAccountNumber: string | null;
    DeliveryAddressCountyId: string | null;
    MaximumContractAmount: string;
    DeliveryAddressCountryRegionISOCode: string | null;
    TransportationRoutePlanId: string | null;
    ProcurementClassification: string | null;
    LineOfBusiness: string | null;
    PurchaseAgreementClassificationName: string | null;
    DocumentTitle: string | null;
    VendorBankAccountId: string | null;
    ShippingCarrierServiceId: string | null;
    ShipCalendarId: string | null;
    DeliveryAddressZipCode: string | null;
    CreditLimit: string;
    ShippingCarrierId: string | null;
    AmountDifferenceInTaxAccounting: NoYes | null;
    DeliveryAddressDistrictName: string | null;
    DeliveryCityInKana: string | null;
    DeliveryAddressDunsNumber: string | null;
    VendorPaymentMethodName: string | null;
    KindOfActivity: InventProfileType_RU | null;
    PaymentScheduleName: string | null;
    PostingProfileWithPrepaymentJournalVoucher: string | null;
    PaymentTermsName: string | null;
    CashDiscountCode: string | null;
    IsAgreementRenewable: NoYes | null;
    MinimumContractAmount: string;
    MobilePhone: string | null;
    DefaultExpirationDate: string;
    DefaultCommitmentType: CommitmentType | null;
    PurchaseResponsible: string;
    DefaultEffectiveDate: string;
    PaymDay: string | null;
    VendorReference: string | null;
    InventoryProfile: string | null;
    AgreementWorkflowStatus: PurchAgreementWorkflowStatus | null;
    AgreementOwnership: CLMIntegrationPurchaseAgreementOwnershipType | null;
    DeliveryAddressStreet: string | null;
    ExcludeFromReserveInBusinessAccounting: NoYes | null;
    ExcludeFromReserveInTaxAccounting: NoYes | null;
    IsDeliveryAddressPrivate: NoYes | null;
    DeliveryAddressCity: string | null;
    DeliveryTermsCode: string | null;
    TransportationModeId: string | null;
    SecondaryResponsibleWorkerName: string | null;
    DeliveryAddressCountryRegionId: string | null;
    DeliveryBuildingCompliment: string | null;
    IsDeliveryAddressAgreementSpecific: NoYes | null;
    PurchaseOrderPoolId: string | null;
    DeliveryAddressPostBox: string | null;
    Extension: string | null;
    DeliveryAddressDescription: string | null;
    DeliveryStreetInKana: string | null;
    CommissionAgreement: AgencyAgreement_RU | null;
    DeliveryAddressLatitude: string;
    ProjectId: string | null;
    VATCharge: VATChargeSource_RU | null;
    Telephone: string | null;
    DeliveryName: string | null;
    DeliveryAddressTimeZone: Timezone | null;
    SecondaryResponsibleWorkerEmail: string | null;
    ContractLegalEntityId: string | null;
    VATOperationCode: string | null;
    PostingProfile: string | null;
    DeliveryModeCode: string | null;
    PrimaryResponsibleWorkerEmail: string | null;
    FormattedDeliveryAddress: string | null;
    PreparerPersonPartyNumber: string | null;
    PurchasingProcedureType: PurchAgreementType_PSN | null;
    ChargeVendorGroupId: string | null;
    ShippingCarrierServiceGroupId: string | null;
    PrimaryResponsibleWorkerName: string | null;
    TransportationTemplateId: string | null;
    TelexNumber: string | null;
    LanguageId: string | null;
    DeliveryAddressStateId: string | null;
    SubjectOfAnAgreement: string | null;
    DeliveryAddressStreetNumber: string | null;
    CurrencyCode: string | null;
    DeliveryAddressLongitude: string;
    DefaultLedgerDimensionDisplayValue: string | null;
    AgreementSum: string;
    AgreementDate: string;
    Fax: string | null;
    ContactPersonId: string | null;
    ContractId: string | null;
    ExternalDocumentReference: string | null;
    BuyerGroupId: string | null;
  };
  /** CLM integration purchase agreement lines. Key: dataAreaId, PurchaseAgreementId, LineNumber, by company. */
  CLMIntegrationPurchaseAgreementLines: {
    dataAreaId: string;
    PurchaseAgreementId: string;
    LineNumber: string;
    PurchaseAgreementLegalEntityId: string | null;
    ProductVariantNumber: string | null;
    ExternalContractId: string | null;
    ProductStyleId: string | null;
    CommittedAmount: string;
    AgreementVendorAccountNumber: string | null;
    InvoiceVendorAccountNumber: string | null;
    CommittedQuantity: string;
    ReceivingSiteId: string | null;
    CommittedCatchWeightQuantity: string;
    PriceQuantity: string;
    LineDiscountAmount: string;
    ItemNumber: string | null;
    ShipCalendarId: string | null;
    MaximumReleaseAmount: string;
    InventoryProfileId: string | null;
    IsPriceAndDiscountFixed: NoYes | null;
    ProductSizeId: string | null;
    LineDiscountPercentage: string;
    UnitSymbol: string | null;
    CommitmentType: CommitmentType | null;
    ProductConfigurationId: string | null;
    ProjectActivityNumber: string | null;
    ProductVersionId: string | null;
    ProjectId: string | null;
    EffectiveDate: string;
    IsCommitmentMaximumEnforced: NoYes | null;
    Price: string;
    ExternalContractLineId: string | null;
    ProductColorId: string | null;
    ProjectCategoryId: string | null;
    ProcurementProductCategoryName: string | null;
    MinimumReleaseAmount: string;
    DefaultLedgerDimensionDisplayValue: string | null;
    ExpirationDate: string;
    ReceivingWarehouseId: string | null;
  };
  /** Legal entities. Key: LegalEntityId, shared by all companies. */
  LegalEntities: {
    LegalEntityId: string;
    AddressDescription: string | null;
    UseForFinancialConsolidationProcess: NoYes | null;
    CompanyName: string | null;
    InitialCapitalInvestment: string;
    AddressState: string | null;
    AddressBooks: string | null;
    AddressCity: string | null;
    AddressLatitude: string;
    AddressZipCode: string | null;
    ExternalLegalRepresentativeName: string | null;
    CompanyRepresentative: string | null;
    LegalRepresentativeName: string | null;
    PrimaryContactURLDescription: string | null;
    PrimaryContactPhoneExtension: string | null;
    CompanyCountry: string | null;
    SoftwareIdentificationCode: string | null;
    AddressCounty: string | null;
    PrimaryContactEmailIsIM: NoYes | null;
    PrimaryContactFacebookIsPrivate: NoYes | null;
    PrimaryContactTelexDescription: string | null;
    PrimaryContactURL: string | null;
    PrimaryContactPhonePurpose: string | null;
    PrimaryContactFax: string | null;
    AddressStreet: string | null;
    NAICS: string | null;
    TraderNumber: string | null;
    PrimaryContactTwitterIsPrivate: NoYes | null;
    PrimaryContactPhoneIsMobile: NoYes | null;
    AddressValidTo: string;
    TimeZone: Timezone | null;
    DNBRoutingNumber: string | null;
    AccountsOfficeReferenceNumber: string | null;
    PrimaryContactTelex: string | null;
    LanguageId: string | null;
    StartDateOfBusiness: string;
    AddressTimeZone: Timezone | null;
    PrintINNKPPInAddress: NoYes | null;
    PrimaryContactPhoneDescription: string | null;
    Rfc: string | null;
    AddressCountryRegionId: string | null;
    CUC: string | null;
    CurpLegalRepresentative: string | null;
    PrimaryContactLinkedInPurpose: string | null;
    FiscalCode: string | null;
    PrimaryContactTwitterPurpose: string | null;
    PrimaryContactFacebookDescription: string | null;
    CurpNumber: string | null;
    PrimaryContactFaxExtension: string | null;
    PhoneticName: string | null;
    AddressCountryRegionISOCode: string | null;
    LegalNature: LegalNature_IT | null;
    PrimaryContactTwitterDescription: string | null;
    PrimaryContactLinkedInDescription: string | null;
    RfcLegalRepresentative: string | null;
    PrimaryContactEmailPurpose: string | null;
    FullPrimaryAddress: string | null;
    PrimaryAddressLocationId: string | null;
    AddressValidFrom: string;
    PrimaryContactURLPurpose: string | null;
    AddressDistrictName: string | null;
    AccountingPersonnel: string | null;
    AddressLocationRoles: string | null;
    NationalRegistryNumber: string | null;
    FICreditorID: string | null;
    PartyNumber: string | null;
    CompanyType: CompanyType_MX | null;
    Name: string | null;
    PrintEnterpriseRegister: NoYes | null;
    PrimaryContactTelexPurpose: string | null;
    PrimaryContactFaxDescription: string | null;
    PrimaryContactLinkedIn: string | null;
    PrimaryContactFacebook: string | null;
    ReportFolder: string | null;
    PersonInCharge: string | null;
    NameAlias: string | null;
    PrimaryContactPhone: string | null;
    PrimaryContactEmailDescription: string | null;
    LegalForm: string | null;
    NationalClassificationOfCompanyEconomicActivity: string | null;
    PrimaryContactEmail: string | null;
    PrintCorrectiveInvoiceStartingDate: string;
    AddressLongitude: string;
    BusinessItem: string | null;
    PrimaryContactTwitter: string | null;
    PrimaryContactFacebookPurpose: string | null;
    UseForFinancialEliminationProcess: NoYes | null;
    StateInscription: string | null;
    PrimaryContactLinkedInIsPrivate: NoYes | null;
    PrimaryContactFaxPurpose: string | null;
    RegistrationNumber: string | null;
    CertifiedTaxAccountantName: string | null;
    CommerceRegistration: string | null;
    PrintCorrectiveInvoice: NoYes | null;
    LocalizationCountryRegionCode: SysLocalizationCountryRegionCode | null;
    VATOnCustomerBehalf: NoYes | null;
    VATNum: string | null;
    ProfitMarginScheme: NoYes | null;
    VATRefund: NoYes | null;
    ImportVATNum: string | null;
  };
  /** Vendors V2. Key: dataAreaId, VendorAccountNumber, by company. */
  VendorsV2: {
    dataAreaId: string;
    VendorAccountNumber: string;
    AddressBrazilianCNPJOrCPF: string | null;
    VendorPortalCollaborationMethod: VendVendorCollaborationType | null;
    BarcodeNumberSequence: string | null;
    AddressCountryRegionId: string | null;
    VendorPriceToleranceGroupId: string | null;
    SizeIdPrefix: string | null;
    StyleIdPrefix: string | null;
    DefaultOffsetAccountType: LedgerJournalACType | null;
    BirthCountyCode: string | null;
    PrimaryFaxNumberPurpose: string | null;
    BusinessSegmentCode: string | null;
    SSIValidityDate: string;
    VendorPartyNumber: string | null;
    DefaultDeliveryModeId: string | null;
    DUNSNumber: string | null;
    VendorInvoiceDeclarationId: string | null;
    IsOwnerDisabled: NoYes | null;
    VendorDUNSNumber: string | null;
    IsVendorLocallyOwned: NoYes | null;
    AddressPostBox: string | null;
    PersonProfessionalTitle: string | null;
    PersonBirthYear: number;
    IsServiceDeliveryAddressBased: NoYes | null;
    VendorGroupId: string | null;
    FiscalOperationPresenceType: EFDocPresenceType_BR | null;
    AddressBuildingCompliment: string | null;
    PaymentTransactionCode: string | null;
    VendorProductHierarchyId: string;
    ZakatServiceType: string | null;
    PrimaryContactFaxRecordId: string;
    DefaultOffsetLedgerAccountDisplayValue: string | null;
    IsPrimaryPhoneNumberMobile: NoYes | null;
    TCSGroup: string | null;
    AddressZipCode: string | null;
    LineOfBusinessId: string | null;
    GTAVendor: NoYes | null;
    OrganizationPhoneticName: string | null;
    DefaultLedgerDimensionDisplayValue: string | null;
    VendorOrganizationName: string | null;
    PrimaryTwitter: string | null;
    PrimaryEmailAddress: string | null;
    AddressCountyId: string | null;
    PrimaryPhoneNumber: string | null;
    TaxExemptNumber: string | null;
    IsGSTCompositionSchemeEnabled: NoYes | null;
    Tax1099IdType: TaxIDType | null;
    CashDiscountCode: string | null;
    EthnicOriginId: string | null;
    BirthPlace: string | null;
    IsPurchaseConsumed: NoYes | null;
    AddressCity: string | null;
    PersonInitials: string | null;
    PurchaseOrderConsolidationDayOfMonth: number;
    CentralBankPurposeCode: string | null;
    PrimaryURLPurpose: string | null;
    OIDInvestorType: InvestorType | null;
    ForeignerId: string | null;
    AddressLongitude: string;
    DefaultSupplementaryProductVendorGroupId: string | null;
    IsChangeManagementActivated: NoYes | null;
    VendorSearchName: string | null;
    CompanyChainName: string | null;
    PrimaryPhoneNumberPurpose: string | null;
    WithholdingTaxVendorType: TaxWithholdVendorType_TH | null;
    CISUniqueTaxPayerReference: string | null;
    PrimaryFaxNumber: string | null;
    DefaultPurchaseSiteId: string | null;
    PersonMaritalStatus: DirPersonMaritalStatus | null;
    AddressLocationId: string | null;
    VendorPaymentFinancialInterestCode: string | null;
    SSIVendor: NoYes | null;
    VendorInvoiceLineMatchingPolicy: PurchMatchingPolicyWithNotSetOption | null;
    BankOrderOfPayment: string | null;
    CISCompanyRegistrationNumber: string | null;
    AddressDistrictName: string | null;
    FiscalDocumentIncomeCode: string | null;
    IsChangeMangementOverrideByVendorAllowed: NoYes | null;
    DefaultPaymentDayName: string | null;
    PersonChildrenNames: string | null;
    ForeignResident: NoYes | null;
    DIOTCountryCode: string | null;
    PersonProfessionalSuffix: string | null;
    OnHoldStatus: CustVendorBlocked | null;
    IsOneTimeVendor: NoYes | null;
    CommercialRegisterName: string | null;
    OrganizationEmployeeAmount: number;
    PrimaryTelexDescription: string | null;
    PurchaseWorkCalendarId: string | null;
    PrimaryLinkedInPurpose: string | null;
    DestinationCode: string | null;
    RoundingMethod: string | null;
    BrazilianNIT: string | null;
    WillReceiptsListProcessingSummaryUpdatePurchaseOrder: NoYes | null;
    ArePricesIncludingSalesTax: NoYes | null;
    ZakatRegistrationNumber: string | null;
    Tax1099BoxId: string | null;
    PrimaryPhoneNumberExtension: string | null;
    PersonAnniversaryYear: number;
    PrimaryLinkedInDescription: string | null;
    SalesPriceRounding: RetailSalesPriceRoundingBase | null;
    WillInvoiceProcessingSummaryUpdatePurchaseOrder: NoYes | null;
    DefaultInventoryStatusId: string | null;
    IsReportingTax1099: NoYes | null;
    RFCFederalTaxNumber: string | null;
    AddressTimeZone: Timezone | null;
    Nationality: string | null;
    CommercialRegisterSection: string | null;
    AddressStreetInKana: string | null;
    PrimaryContactPhoneRecordId: string;
    PANReferenceNumber: string | null;
    TaxOperationCode: string | null;
    InventoryProfile: string | null;
    NumberSequenceGroupId: string | null;
    BrazilianCNPJOrCPF: string | null;
    PANNumber: string | null;
    Tax1099DoingBusinessAsName: string | null;
    IsServiceVeteranOwned: NoYes | null;
    PersonFirstName: string | null;
    SalesTaxGroupCode: string | null;
    BrazilianCCM: string | null;
    TDSGroup: string | null;
    PrimaryURLDescription: string | null;
    ZakatFileNumber: string | null;
    ISNationalRegistryNumber: string | null;
    PersonAnniversaryDay: number;
    IsWithholdingTaxCalculated: NoYes | null;
    DefaultVendorPaymentMethodName: string | null;
    PrimaryContactPersonId: string | null;
    AddressRecordId: string;
    CompositionScheme: NoYes | null;
    PersonBirthMonth: MonthsOfYear | null;
    AddressBooks: string | null;
    UniquePopulationRegistryCode: string | null;
    IsMinorityOwned: NoYes | null;
    MultilineDiscountVendorGroupCode: string | null;
    PrimaryFaxNumberExtension: string | null;
    OIDNomineeDetails: string | null;
    ExchangeRate: string;
    DIOTVendorType: VendorType_MX | null;
    PrimaryTwitterDescription: string | null;
    FactoringVendorAccountNumber: string | null;
    CISVerificationDate: string;
    CUSIPIdentificationNumber: string | null;
    StructureDepartment: string | null;
    ClearingPeriodPaymentTermsId: string | null;
    PersonBirthDay: number;
    ServiceCategory: string | null;
    BuyerGroupId: string | null;
    FiscalCode: string | null;
    PrimaryPhoneNumberDescription: string | null;
    BrazilianIE: string | null;
    PrimaryContactEmailRecordId: string;
    ForeignVendorTaxRegistrationId: string | null;
    AddressBrazilianIE: string | null;
    PersonAnniversaryMonth: MonthsOfYear | null;
    PrimaryFacebookDescription: string | null;
    PricePointGroupId: string | null;
    PaymentId: string | null;
    OrganizationNumber: string | null;
    CISStatus: VendCISStatus | null;
    ProductDescriptionVendorGroupId: string | null;
    WillPurchaseOrderIncludePricesAndAmounts: NoYes | null;
    DefaultCashDiscountUsage: UseCashDisc | null;
    BankTransactionType: string | null;
    TaxAgent: NoYes | null;
    StateInscription: string | null;
    PersonLastNamePrefix: string | null;
    PrimaryFaxNumberDescription: string | null;
    DefaultPaymentScheduleName: string | null;
    PersonPhoneticMiddleName: string | null;
    NationalRegistryNumberId: string | null;
    PrimaryFacebookPurpose: string | null;
    LineDiscountVendorGroupCode: string | null;
    OrganizationABCCode: ABC | null;
    BrazilianCNAE: string | null;
    WithholdingTaxGroupCode: string | null;
    NAFCode: string | null;
    AddressLatitude: string;
    AddressLocationRoles: string | null;
    PrimaryLinkedIn: string | null;
    PurchaseRebateVendorGroupId: string | null;
    SiretNumber: string | null;
    VendorExceptionGroupId: string | null;
    WillPurchaseOrderProcessingSummaryUpdatePurchaseOrder: NoYes | null;
    IsW9CheckingEnabled: NoYes | null;
    CreditRating: string | null;
    VendorPaymentFineCode: string | null;
    IsW9Received: NoYes | null;
    ChargeVendorGroupId: string | null;
    IsVendorPayingBankPaymentFee: NoYes | null;
    PrimaryFacebook: string | null;
    IsIncomingFiscalDocumentGenerated: NoYes | null;
    Notes: string | null;
    OurAccountNumber: string | null;
    VendorHoldReleaseDate: string;
    PrimaryTwitterPurpose: string | null;
    Tax1099FederalTaxId: string | null;
    PrimaryURL: string | null;
    AddressValidTo: string;
    PrimaryEmailAddressPurpose: string | null;
    PaymentFeeGroupId: string | null;
    AddressStateId: string | null;
    PersonGender: Gender | null;
    PrimaryEmailAddressDescription: string | null;
    IsPurchaseOrderChangeRequestOverrideAllowed: NoYes | null;
    DefaultDeliveryTermsCode: string | null;
    CurrencyCode: string | null;
    PrimaryTelex: string | null;
    PriceVendorGroupId: string | null;
    CISNationalInsuranceNumber: string | null;
    DefaultProcumentWarehouseId: string | null;
    FormattedPrimaryAddress: string | null;
    DefaultPaymentTermsName: string | null;
    ColorIdPrefix: string | null;
    CUSIPDetails: string | null;
    PrimaryContactURLRecordId: string;
    EnterpriseNumber: string | null;
    IsICMSContributor: NoYes | null;
    PersonPersonalSuffix: string | null;
    AddressCityInKana: string | null;
    CreditLimit: string;
    IsForeignEntity: NoYes | null;
    Tax1099Type: Tax1099Type | null;
    PANStatus: PANStatus_IN | null;
    SeparateDivisionId: string | null;
    NameControl: string | null;
    TaxPartnerKind: VATPartnerKind_RU | null;
    CentralBankPurposeText: string | null;
    BusinessSubsegmentCode: string | null;
    IsSmallBusiness: NoYes | null;
    VendorKnownAsName: string | null;
    AddressStreetNumber: string | null;
    PersonLastName: string | null;
    FixedExchangeRate: NoYes | null;
    IsCUSIPIdentificationNumberApplicable: NoYes | null;
    AddressCountryRegionISOCode: string | null;
    BankAccountId: string | null;
    ResidenceForeignCountryRegionId: string | null;
    PrimaryTelexPurpose: string | null;
    PersonHobbies: string | null;
    ElectronicLocationId: string | null;
    Tax1099NameToUse: Tax1099NameChoice | null;
    MainContactPersonnelNumber: string | null;
    AddressValidFrom: string;
    CompanyType: CompanyType_MX | null;
    CommercialRegisterInsetNumber: string | null;
    PersonPersonalTitle: string | null;
    VendorPartyType: string | null;
    DIOTOperationType: VendorOperationType_MX | null;
    CreateBarcodeIfNeeded: NoYes | null;
    PricePointRoundingType: RetailRoundingTypeBase | null;
    IsPrimaryEmailAddressIMEnabled: NoYes | null;
    IsVendorLocatedInHUBZone: NoYes | null;
    IsFlaggedWithSecondTIN: NoYes | null;
    AddressDescription: string | null;
    PaymentSpecificationId: string | null;
    ForeignVendor: NoYes | null;
    PurchaseShipCalendarId: string | null;
    VendorType: RetailVendTypeBase | null;
    PersonPhoneticFirstName: string | null;
    IsWomanOwner: NoYes | null;
    HasOnlyTakenBids: NoYes | null;
    DefaultPurchaseOrderPoolId: string | null;
    PreferentialVendor: NoYes | null;
    DefaultTotalDiscountVendorGroupCode: string | null;
    OverrideSalesTax: NoYes | null;
    BrazilianINSSCEI: string | null;
    CISVerificationNumber: string | null;
    InventoryProfileType: InventProfileType_RU | null;
    NatureOfAssessee: NatureOfAssessee_IN | null;
    UPSFreightZone: string | null;
    PersonMiddleName: string | null;
    WillProductReceiptProcessingSummaryUpdatePurchaseOrder: NoYes | null;
    PersonPhoneticLastName: string | null;
    LanguageId: string | null;
    InvoiceVendorAccountNumber: string | null;
    IsSubcontractor: NoYes | null;
    AddressStreet: string | null;
    IsTaxationOverPayroll_BR: NoYes | null;
    IsPublicSector_IT: NoYes | null;
    DefaultAgentVendorAccountNumber: string | null;
    VendorOverUnderdeliveryToleranceGroupId: string | null;
    IsTransportationServicesProvider: NoYes | null;
    ShippingVendorType: ITMVendType | null;
    VendorCostTypeGroup: string | null;
    DefaultFromShippingPortId: string | null;
    IsImportCostingVendor: NoYes | null;
    ShippingVendorAccountNumber: string | null;
    VendorLeadTime: number;
  };
  /** Contacts V2. Key: dataAreaId, ContactPersonId, by company. */
  ContactPersons: {
    dataAreaId: string;
    ContactPersonId: string;
    PrimaryAddressLatitude: string;
    LoyaltyLevelPhrase: string | null;
    IsPrimaryPhoneNumberMobile: NoYes | null;
    AnniversaryMonth: MonthsOfYear | null;
    BillingInformation: string | null;
    IsReceivingDirectMail: NoYes | null;
    ElectronicLocationId: string | null;
    BirthDay: number;
    SpouseName: string | null;
    ContactInformationLanguageId: string | null;
    DisplayNameSequencePatternName: string | null;
    LastName: string | null;
    PrimaryTelex: string | null;
    AvailableFromTime: number;
    PrimaryFaxNumberPurpose: string | null;
    ContactPersonPartyType: string | null;
    PrimaryEmailAddressPurpose: string | null;
    Hobbies: string | null;
    PrimaryEmailAddress: string | null;
    LastEditDateTime: string;
    Initials: string | null;
    PrimaryEmailAddressDescription: string | null;
    FormattedPrimaryAddress: string | null;
    CitizenshipCountryRegion: string | null;
    SearchName: string | null;
    DecisionMakingRoleCode: string | null;
    PrimaryAddressValidFrom: string;
    EmploymentProfession: string | null;
    PrimaryURLPurpose: string | null;
    UserRole: VendRequestRoleType | null;
    PrimaryFaxNumberExtension: string | null;
    PrimaryPhoneNumberDescription: string | null;
    PrimaryFaxNumberDescription: string | null;
    PrimaryTwitter: string | null;
    AssociatedPartyNumber: string | null;
    IsVendorPortalAccessAllowed: NoYes | null;
    PrimaryAddressStateId: string | null;
    PhoneticMiddleName: string | null;
    PrimaryAddressBuildingCompliment: string | null;
    ProfessionalTitle: string | null;
    MicrosoftOutlookCategories: string | null;
    PrimaryFacebookPurpose: string | null;
    PrimaryAddressCountryRegionISOCode: string | null;
    OrganizationIdentificationNumber: string | null;
    PrimaryAddressLocationId: string | null;
    PrimaryLinkedInDescription: string | null;
    PrimaryTwitterPurpose: string | null;
    PrimaryAddressCountryRegionId: string | null;
    ChildrenNames: string | null;
    PrimaryPhoneNumberPurpose: string | null;
    PrimaryTelexPurpose: string | null;
    AssistantName: string | null;
    EmploymentJobTitle: string | null;
    PrimaryURL: string | null;
    PrimaryAddressCountyId: string | null;
    FirstName: string | null;
    Gender: Gender | null;
    PrimaryPhoneNumberExtension: string | null;
    PrimaryFacebook: string | null;
    AlternateSalutationPhrase: string | null;
    PrimaryAddressLocationRoles: string | null;
    KnownAsName: string | null;
    Notes: string | null;
    ContactPersonName: string | null;
    IsDefaultContactPerson: NoYes | null;
    ManagerContactPersonId: string | null;
    PrimaryAddressDistrictName: string | null;
    PrimaryFacebookDescription: string | null;
    EmploymentOfficeLocation: string | null;
    AvailableToTime: number;
    AssistantPhoneNumber: string | null;
    PrimaryAddressValidTo: string;
    AddressBookNames: string | null;
    PrimaryAddressStreet: string | null;
    PrimaryTelexDescription: string | null;
    ContactPersonResponsiblePersonnelNumber: string | null;
    BirthYear: number;
    ContactPersonPartyNumber: string | null;
    PrimaryFaxNumber: string | null;
    GovernmentIdentificationNumber: string | null;
    PrimaryLinkedIn: string | null;
    PersonalCharacterTypeCode: string | null;
    ContactActivitySensitivityLevel: smmSensitivity | null;
    IdentityCardNumber: string | null;
    PrimaryAddressDescription: string | null;
    HasRequestedInternetAccess: NoYes | null;
    PhoneticLastName: string | null;
    PrimaryAddressCity: string | null;
    PrimaryAddressStreetInKana: string | null;
    PrimaryAddressStreetNumber: string | null;
    PrimaryAddressZipCode: string | null;
    IsContactPersonExternallyMaintained: NoYes | null;
    AnniversaryYear: number;
    PrimaryURLDescription: string | null;
    PrimaryLinkedInPurpose: string | null;
    PhoneticFirstName: string | null;
    PrimaryPhoneNumber: string | null;
    MileageDistance: string | null;
    ProfessionalSuffix: string | null;
    PrimaryComplimentaryClosingPhrase: string | null;
    PrimaryAddressTimeZone: Timezone | null;
    PrimaryAddressCityInKana: string | null;
    AlternateComplimentaryClosingPhrase: string | null;
    PrimarySalutationPhrase: string | null;
    MiddleName: string | null;
    EmploymentJobFunctionName: string | null;
    MaritalStatus: DirPersonMaritalStatus | null;
    EmploymentDepartment: string | null;
    IsVIP: NoYes | null;
    PrimaryAddressPostBox: string | null;
    EmploymentComputerNetworkName: string | null;
    PrimaryAddressLongitude: string;
    IsPrimaryEmailAddressIMEnabled: NoYes | null;
    IsImported: NoYes | null;
    AnniversaryDay: number;
    IsInactive: NoYes | null;
    BirthMonth: MonthsOfYear | null;
    PrimaryTwitterDescription: string | null;
  };
  /** Sites V2. Key: dataAreaId, SiteId, by company. */
  OperationalSitesV2: {
    dataAreaId: string;
    SiteId: string;
    PrimaryAddressLatitude: string;
    InventSiteDefaultDimensionDisplayValue: string | null;
    FormattedPrimaryAddress: string | null;
    FiscalEstablishmentId: string | null;
    PrimaryAddressStateId: string | null;
    SiteTimezone: Timezone | null;
    PrimaryAddressBuildingCompliment: string | null;
    PrimaryAddressLocationSalesTaxGroupCode: string | null;
    DefaultInventoryStatusId: string | null;
    WillMasterPlannedIntraSiteMovementsUseTransferJournals: NoYes | null;
    PrimaryAddressCountryRegionId: string | null;
    OrderEntryDeadlineGroupId: string | null;
    PrimaryAddressCountyId: string | null;
    PrimaryAddressLocationRoles: string | null;
    PrimaryAddressDistrictName: string | null;
    PrimaryAddressStreet: string | null;
    IsReceivingWarehouseOverrideAllowed: NoYes | null;
    SiteName: string | null;
    PrimaryAddressDescription: string | null;
    PrimaryAddressCity: string | null;
    PrimaryAddressStreetNumber: string | null;
    PrimaryAddressStreetInKana: string | null;
    PrimaryAddressZipCode: string | null;
    TaxBranchCode: string | null;
    IsPrimaryAddressAssigned: NoYes | null;
    PrimaryAddressTimeZone: Timezone | null;
    PrimaryAddressCityInKana: string | null;
    PrimaryAddressPostBox: string | null;
    PrimaryAddressLongitude: string;
  };
  /** Warehouses. Key: dataAreaId, WarehouseId, by company. */
  Warehouses: {
    dataAreaId: string;
    WarehouseId: string;
    AreAdvancedWarehouseManagementProcessesEnabled: NoYes | null;
    PrimaryAddressLatitude: string;
    AreLaborStandardsAllowed: NoYes | null;
    WarehouseSpecificDefaultInventoryStatusId: string | null;
    ArePickingListsShipmentSpecificOnly: NoYes | null;
    RawMaterialPickingInventoryIssueStatus: WHSRawMaterialPolicy | null;
    QuarantineWarehouseId: string | null;
    LoadReleaseReservationPolicyRule: WHSLoadReleaseReservationPolicy | null;
    InventoryCountingReasonCodePolicyName: string | null;
    WillWarehouseLocationIdIncludeShelfIdByDefault: NoYes | null;
    ArePickingListsDeliveryModeSpecific: NoYes | null;
    FormattedPrimaryAddress: string | null;
    WillManualLoadReleaseReserveInventory: NoYes | null;
    WarehouseLocationIdBinIdFormat: string | null;
    AreItemsCoveragePlannedManually: NoYes | null;
    WillShippingCancellationDecrementLoadQuanity: NoYes | null;
    AutoUpdateShipmentRule: WHSAutoUpdateShipment | null;
    PrimaryAddressStateId: string | null;
    WarehouseLocationIdRackIdFormat: string | null;
    PrimaryAddressBuildingCompliment: string | null;
    PrimaryAddressLocationSalesTaxGroupCode: string | null;
    IsRefilledFromMainWarehouse: NoYes | null;
    PrimaryAddressCountryRegionId: string | null;
    WillWarehouseLocationIdIncludeRackIdByDefault: NoYes | null;
    RetailStoreQuantityAllocationReplenismentRuleWeight: string;
    IsPalletMovementDuringCycleCountingAllowed: NoYes | null;
    WarehouseLocationIdShelfIdFormat: string | null;
    PrimaryAddressCountyId: string | null;
    MasterPlanningWorkCalendardId: string | null;
    WarehouseWorkProcessingPolicyName: string | null;
    ExternallyLocatedWarehouseVendorAccountNumber: string | null;
    MainRefillingWarehouseId: string | null;
    WillAutomaticLoadReleaseReserveInventory: NoYes | null;
    IsPhysicalNegativeRetailStoreInventoryAllowed: NoYes | null;
    PrimaryAddressLocationRoles: string | null;
    ExternallyLocatedWarehouseCustomerAccountNumber: string | null;
    PrimaryAddressDistrictName: string | null;
    IsRetailStoreWarehouse: NoYes | null;
    IsBillOfLadingPrintingBeforeShipmentConfirmationEnabled: NoYes | null;
    WarehouseName: string | null;
    WillInventoryStatusChangeRemoveBlocking: NoYes | null;
    PrimaryAddressStreet: string | null;
    DefaultContainerTypeId: string | null;
    LanguageUsedForDomesticHazardousMaterialsShippingDocuments: string | null;
    IdentificationGroup: InventCountingGroup_BR | null;
    PrimaryAddressDescription: string | null;
    WillProductionBOMsReserveWarehouseLevelOnly: NoYes | null;
    PrimaryAddressCity: string | null;
    PrimaryAddressStreetNumber: string | null;
    PrimaryAddressStreetInKana: string | null;
    PrimaryAddressZipCode: string | null;
    WillWarehouseLocationIdIncludeBinIdByDefault: NoYes | null;
    MaximumBatchPickingListQuantity: number;
    AreWarehouseLocationCheckDigitsUnique: NoYes | null;
    IsPrimaryAddressAssigned: NoYes | null;
    ShouldWarehouseLocationIdIncludeAisleId: NoYes | null;
    InventoryStatusChangeReservationRemovalLevel: WHSAllowMarkingReservationRemoval | null;
    LanguageUsedForExportHazardousMaterialsShippingDocuments: string | null;
    WarehouseReleaseReservationRequirementRuleFailureOption: WHSReleaseRuleFailureOption | null;
    PrimaryAddressTimeZone: Timezone | null;
    TransitWarehouseId: string | null;
    PrimaryAddressCityInKana: string | null;
    WarehouseType: InventLocationType | null;
    IsFinancialNegativeRetailStoreInventoryAllowed: NoYes | null;
    MaximumPickingListLineQuantity: number;
    WarehouseReleaseReservationRequirementRule: WHSReleaseToWarehouseRule | null;
    WillOrderReleasingConsolidateShipments: NoYes | null;
    PrimaryAddressPostBox: string | null;
    PrimaryAddressLongitude: string;
    OperationalSiteId: string | null;
    IsFallbackWarehouse: NoYes | null;
    InventProfileType_RU: InventProfileType_RU | null;
    InventProfileId_RU: string | null;
    ActivityType_RU: string | null;
    InventLocationIdGoodsInRoute_RU: string | null;
    RBODefaultInventProfileId_RU: string | null;
    NumberSequenceGroup_RU: string | null;
    WMSLocationIdGoodsInRoute_RU: string | null;
    VendAccountCustom_RU: string | null;
    ReportAsFinishedPostingMethod: ProdRAFPostingMethodInherit | null;
    UnderdeliveryWarehouseId: string | null;
    GoodsInTransitWarehouseId: string | null;
    ExternalWarehouseDefaultLocationId: string | null;
    ExternalWarehouseManagementSystemId: string | null;
    ExternalWarehouseId: string | null;
    IsWarehouseExternallyManaged: NoYes | null;
    CoordinatesRetrievalStrategy: WHSCoordinatesRetrievalStrategy;
    DistanceCalculationStrategy: WHSDistanceCalculationStrategy;
    SpatialLocationSortingStrategy: WHSSpatialLocationSortingStrategy;
    ExternalWarehouseDefaultLicensePlateLocationId: string;
  };
  /** Procurement product categories. Key: CategoryName, CategoryHierarchyName, shared by all companies. */
  ProcurementProductCategories: {
    CategoryName: string;
    CategoryHierarchyName: string;
    ParentCategoryName: string | null;
    CategoryCode: string | null;
    ParentHierarchyName: string;
  };
  /** CLM integration released products. Key: dataAreaId, ItemNumber, by company. */
  CLMIntegrationReleasedProducts: {
    dataAreaId: string;
    ItemNumber: string;
    PurchaseUnitSymbol: string | null;
    ProductType: ItemType | null;
    ProductNumber: string | null;
    ProductSubType: EcoResProductSubtype | null;
    SearchName: string | null;
    ProductDescription: string | null;
    ProductName: string | null;
  };
  /** Released product variants V2. Key: dataAreaId, ProductMasterNumber, ProductConfigurationId, ProductSizeId, ProductColorId, ProductStyleId, ProductVersionId, by company. */
  ReleasedProductVariantsV2: {
    dataAreaId: string;
    ProductMasterNumber: string;
    ProductConfigurationId: string;
    ProductSizeId: string;
    ProductColorId: string;
    ProductStyleId: string;
    ProductVersionId: string;
    ItemNumber: string | null;
    ProductLifecycleStateId: string | null;
    ProductDescription: string | null;
    SalesSalesTaxItemGroupCode: string | null;
    ProductName: string | null;
    PurchaseSalesTaxItemGroupCode: string | null;
    ProductVariantNumber: string | null;
    ProductSearchName: string | null;
  };
  /** Units. Key: UnitSymbol, shared by all companies. */
  UnitsOfMeasure: {
    UnitSymbol: string;
    FixedUnitSymbolAssignment: UnitOfMeasureCodeSymbol | null;
    UnitClass: UnitOfMeasureClass | null;
    IsBaseUnit: NoYes | null;
    DecimalPrecision: number;
    IsSystemUnit: NoYes | null;
    IsFixedUnitSymbolAssigned: NoYes | null;
    UnitDescription: string | null;
    SystemOfUnits: UnitOfMeasureSystemOfUnits | null;
    NationalCode: string | null;
  };
  /** Terms of payment. Key: dataAreaId, Name, by company. */
  PaymentTerms: {
    dataAreaId: string;
    Name: string;
    Description: string | null;
    NumberOfMonths: number;
    CutoffDayOfMonth: number;
    CreditCardCreditCheckType: CreditCardCreditCheck | null;
    PaymentScheduleName: string | null;
    IsDefaultPaymentTerm: NoYes | null;
    CreditCardPaymentType: CreditCardPaymentType | null;
    IsCashPayment: NoYes | null;
    NumberOfDays: number;
    CustomerDueDateUpdatePolicy: PaymentDueDateUpdatePolicy | null;
    PaymentDayName: string | null;
    VendorDueDateUpdatePolicy: PaymentDueDateUpdatePolicy | null;
    PostOffsettingAR: NoYes | null;
    PaymentMethodType: NetCurrent | null;
    CashPaymentMainAccountIdDisplayValue: string | null;
    IsCertifiedCompanyCheck: NoYes | null;
    AdditionalMonthsForCutoffDate: number;
  };
  /** Currencies. Key: CurrencyCode, shared by all companies. */
  Currencies: {
    CurrencyCode: string;
    RoundingMethodPurchaseOrders: RoundOffType | null;
    RoundingMethodPrices: RoundOffType | null;
    Name: string | null;
    RoundingMethodSalesOrders: RoundOffType | null;
    Symbol: string | null;
    RoundingRuleFixedAssetDepreciation: string;
    ReferenceCurrencyForTriangulation: NoYes | null;
    CurrencyGender: GenderMaleFemale | null;
    RoundingRulePurchaseOrders: string;
    GeneralRoundingRule: string;
    RoundingMethodFixedAssetDepreciation: RoundOffType | null;
    RoundingRuleSalesOrders: string;
    RoundingRulePrices: string;
    DecimalsCount_MX: number;
  };
  /** Vendor payment method. Key: dataAreaId, Name, by company. */
  VendorPaymentMethods: {
    dataAreaId: string;
    Name: string;
    ElectronicReportingVendor: string | null;
    ServiceLevel: string;
    UseGERConfiguration: NoYes | null;
    PaymentJournalName: string | null;
    ExportFormatClassName: string | null;
    ValidatePaymentNoteIsMandatory: NoYes | null;
    SPEDPrimaryPaymentMethod: PrimaryMethod_BR | null;
    ReturnLayoutGroupId: string | null;
    ChargeBearerValue: string | null;
    BridgingPostingEnabled: NoYes | null;
    ElectronicReportingSolution: string | null;
    PaymentStatus: CustVendPaymStatus | null;
    LocalInstrument: string;
    SumByPeriod: PaymSumBy | null;
    SATPaymentType: PaymentType_MX | null;
    AttributeBelgianStructuredPaymentIdEnabled: NoYes | null;
    LastFileNumberToday: number;
    ERFormatMapping: string | null;
    BankTransactionType: string | null;
    ValidatePaymentIdIsMandatory: NoYes | null;
    DimensionAttributeDisplayValue: string | null;
    ValidateTransactionTypeIsBank: NoYes | null;
    ValidateCheckNumberIsMandatory: NoYes | null;
    ExportLayoutGroupId: string | null;
    DiscountGracePeriodDays: number;
    Description: string | null;
    ExportPromissoryNoteDuringInvoicePosting: NoYes | null;
    PaymentType: PaymentType | null;
    AccountType: LedgerJournalACType | null;
    CreateAndDrawPromissoryNoteDuringInvoicePosting: NoYes | null;
    AttributePaymentAccountEnabled: NoYes | null;
    LastFileNumber: number;
    DirectDebit: NoYes | null;
    BridgingPostingAccountDisplayValue: string | null;
    DimensionControl: NoYes | null;
    AttributePaymentIdEnabled: NoYes | null;
    SPEDPrimaryPaymentMethodDescription: string | null;
    ValidatePaymentSpecificationIsMandatory: NoYes | null;
    AttributeThirdPartyBankEnabled: NoYes | null;
    AllowPaymentCopies: NoYes | null;
    ReturnFormatClassName: string | null;
    PaymentAccountDisplayValue: string | null;
    CategoryPurpose: string;
    GeneratePaymentOneVoucher: Posting_BR | null;
    RemittanceFormatClassName: string | null;
    EnablePostdatedCheckClearingPosting: NoYes | null;
    ValidatePaymentReferenceIsMandatory: NoYes | null;
    PromissoryNoteDraftType: TypeOfDraft | null;
    LastFileDate: string;
    ValidateOffsetTransactionTypeIsBank: NoYes | null;
    PostingProfileRemitNotes: string | null;
  };
  /** Payment schedule. Key: dataAreaId, Name, by company. */
  PaymentSchedules: {
    dataAreaId: string;
    Name: string;
    AllocationMethod: PaymSchedBy | null;
    PaymentFrequencyUnits: PeriodUnit | null;
    NumberOfPayments: number;
    SalesTaxAllocationMethod: PaymSchedTaxDistribution | null;
    ChargeAllocationMethod: MCRPaymSchedMiscChargeDist | null;
    InstallmentMinimumOrderAmount: string;
    MinimumPaymentAmount: string;
    Notes: string | null;
    Description: string | null;
    InstallmentMaximumOrderAmount: string;
    PaymentFrequency: number;
    IsFlexibleInstallmentPlan: NoYes | null;
    FixedPaymentAmount: string;
  };
  /** Terms of delivery. Key: dataAreaId, TermsCode, by company. */
  DeliveryTerms: {
    dataAreaId: string;
    TermsCode: string;
    InventoryProfile: string | null;
    IntrastatCode: string | null;
    SalesTaxLocationRole: LogisticsLocationRoleType | null;
    IsCashOnDelivery: NoYes | null;
    DoRetailSalesOrdersGetTransportationChargesAdded: NoYes | null;
    WillShipmentConfirmationTransferCharges: NoYes | null;
    TermsDescription: string | null;
    FreightChargeTerms: WMSFreightChargeTerms | null;
    ReceiptTransactionStatus: CustomInventTransStatus_RU | null;
    PortMandatory: NoYes | null;
    GoodsInTransitControl: NoYes | null;
  };
  /** Projects. Key: dataAreaId, ProjectID, by company. */
  Projects: {
    dataAreaId: string;
    ProjectID: string;
    DefaultOnSubprojects: NoYes | null;
    ProjectOrTask: PSAProjTask | null;
    FixedAssetNumber: string | null;
    ActiveRevision: string | null;
    IsActivityRequiredForHourTransaction: NoYes | null;
    PercentToRetain: string;
    Email: string | null;
    WorkerRespFinancialPersonnelNumber: string | null;
    RequisitionOrPurchaseOrderControl: PSAPReqControl | null;
    DateOfCreation: string;
    ScheduleStatus: PSAResSchedStatus | null;
    ZakatProjectValue: string;
    WorkerResponsiblePersonnelNumber: string | null;
    TransactionTypesControlled: ProjBudgetaryControlOn | null;
    Category: NoYes | null;
    IsActivityRequiredForItemForecast: NoYes | null;
    Header: NoYes | null;
    ProjectTemplate: NoYes | null;
    Notes: string | null;
    InvoicingMethod: PSAInvoiceMethod | null;
    TrackCost: PSAProjTrackCost | null;
    IsActivityRequiredForExpenseTransaction: NoYes | null;
    InvoiceCost: NoYes | null;
    ZakatSubject: string | null;
    ExternalRevision: string | null;
    Description: string | null;
    LocationID: string | null;
    TaskCompletelyScheduled: NoYes | null;
    SubprojectIDFormat: string | null;
    ProjectedEndDate: string;
    CanUseAlternateProjectBudget: NoYes | null;
    SortingId2: string | null;
    DimensionDisplayValue: string | null;
    CanUseBudgetControl: NoYes | null;
    ExtensionDate: string;
    Unit: string | null;
    ParentProject: string | null;
    Date: string;
    AlternateProject: string | null;
    BankDocumentType: BankLGDocumentType | null;
    StartDate1: string;
    ConstraintType: PSAConstraintType | null;
    CustomerRetentionTermId: string | null;
    AlertTimeFrameWeeks: number;
    Calendar: string | null;
    IsActivityRequiredForHourForecast: NoYes | null;
    CustomerAccount: string | null;
    HourValidation: PSAPReqValidate | null;
    StartTime: number;
    ZakatContractPeriod: string | null;
    ZakatContractDate: string;
    IsActivityRequiredForExpenseForecast: NoYes | null;
    IsActivityRequiredForItemTransaction: NoYes | null;
    PostingLevel: DetailSummary | null;
    TemplateApplied: NoYes | null;
    ProjectedStartDate: string;
    CanVerifyCostAgainstRemainingForecast: NoYes | null;
    PSASchedIgnoreCalendar: NoYes | null;
    Telephone: string | null;
    ProjectBudgetManagement: ProjBudgetManagement | null;
    ProjectStage: ProjStatus | null;
    CertifiedPayroll: NoYes | null;
    SortingId1: string | null;
    Status: PSAProjStatus | null;
    CanCarryForwardRemainingBudgets: NoYes | null;
    LedgerPostingSortPriority: ProjLedgerPosting | null;
    Fax: string | null;
    ItemValidation: PSAPReqValidate | null;
    ActualStartDate: string;
    JobIdentification: string | null;
    DeliveryName: string | null;
    BudgetOverrunDefault: ProjBudgetOverrunOption | null;
    SearchPriority: ProjLinePropertySearch | null;
    ZakatContractAmendment: string;
    TotalEffortInHours: string;
    AllowNegativeBudgetsToBeCarriedForward: NoYes | null;
    DefaultInvoiceAccount: string | null;
    SalesTaxGroup: string | null;
    WorkerRespSalesPersonnelNumber: string | null;
    TimeMeasure: PSAProjTimeMeasure | null;
    SalesPriceGroup: string | null;
    ProjectContractID: string | null;
    ProjectType: ProjType | null;
    ConstraintDate: string;
    SortingId3: string | null;
    MinimumTimeIncrement: string;
    ProjectGroup: string | null;
    EndDate1: string;
    DurationInDays: string;
    IsReadyForInvoicing: NoYes | null;
    EndTime: number;
    Milestone: NoYes | null;
    WorkerArchitectPersonnelNumber: string | null;
    ProjectName: string | null;
    EstimateProjectID: string | null;
    DurationDeterminesEndDate: NoYes | null;
    BudgetControlInterval: ProjBudgetInterval | null;
    ActualEndDate: string;
    JobPayType: JmgJobPayTypeEnum | null;
  };
  /** Cash discount. Key: dataAreaId, CashDiscountCode, by company. */
  CashDiscounts: {
    dataAreaId: string;
    CashDiscountCode: string;
    Percent: string;
    OffsetMethodForVendorDiscounts: DiscountOffsetMethod | null;
    NextCashDiscountCode: string | null;
    NumberOfMonths: number;
    MainAccountIdForCustomerDiscountsDisplayValue: string | null;
    Description: string | null;
    DiscountMethod: NetCurrent | null;
    MainAccountIdForVendorDiscountsDisplayValue: string | null;
    NumberOfDays: number;
    DescriptionQRBill: string | null;
  };
  /** CLM integration country/regions. Key: CountryRegionId, shared by all companies. */
  CLMIntegrationAddressCountryRegions: {
    CountryRegionId: string;
    LongName: string | null;
    ShortName: string | null;
  };
  /** CLM integration service instance. Key: ID, shared by all companies. */
  CLMIntegrationServiceInstances: {
    ID: number;
    InstanceName: string;
    BaseURL: string;
    ExternalNavigationBaseURL: string;
    EstablishmentStatus: "NotStarted" | "Success" | "Error";
    ConfigurationStatus: "NotStarted" | "Success" | "Error";
  };
  /** CLM integration external navigation links. Key: NavigationType. */
  CLMIntegrationExternalNavigationLinks: {
    ServiceInstanceName: string;
    NavigationType: "ViewContract" | "EditContract" | "NewContract" | "NewContractFromPurchAgreement" | "AmendContract";
    NavigationName: string;
    RelativeURL: string;
    Action: "OpenInNewTab" | "OpenInExistingTab";
  };
  /** CLM integration external navigation link key-value pairs. Key: NavigationType, KeyValueType, Key. */
  CLMIntegrationExternalNavigationLinkKeyValues: {
    NavigationType: "ViewContract" | "EditContract" | "NewContract" | "NewContractFromPurchAgreement" | "AmendContract";
    KeyValueType: "QueryString" | "Header";
    Key: string;
    Value: string;
  };
  /** CLM integration validation purchase agreements. Key: dataAreaId, PurchaseAgreementId, by company. */
  CLMIntegrationValidationPurchaseAgreements: Catalog["CLMIntegrationPurchaseAgreements"] & {
    ValidationResult: string;
  };
  /** CLM integration validate insert purchase agreement lines. Key: dataAreaId, PurchaseAgreementId, LineNumber, by company. */
  CLMIntegrationValidateInsertPurchaseAgreementLines: Catalog["CLMIntegrationPurchaseAgreementLines"];
  /** CLM integration update, delete validation purchase agreement lines. Key: dataAreaId, PurchaseAgreementId, LineNumber, by company. */
  CLMIntegrationValidateUpdateDeletePurchaseAgreementLines: Catalog["CLMIntegrationPurchaseAgreementLines"];
  /** CLM integration validation purchase agreement lines. Key: dataAreaId, PurchaseAgreementId, LineNumber, by company. */
  CLMIntegrationValidationPurchaseAgreementLines: Catalog["CLMIntegrationPurchaseAgreementLines"] & {
    ValidationResult: string;
  };
}

/** Entities of the host's own environment, by collection. The declarations that `d365-clm types` writes add to it. */
// biome-ignore lint/suspicious/noEmptyInterface: others fill it
export interface TenantCatalog {}

/** Typed for the environment's own entities and the catalogued ones; any properties for another one. */
export type EntityOf<N extends string> = N extends keyof TenantCatalog
  ? TenantCatalog[N]
  : N extends keyof Catalog
    ? Catalog[N]
    : // biome-ignore lint/suspicious/noExplicitAny: an entity that the catalogue lacks has any properties
      Record<string, any>;

export type ABC = "None" | "A" | "B" | "C";
export type AgencyAgreement_RU = "None" | "PurchaseCommission" | "SaleCommission";
export type AgreementState = "OnHold" | "Effective" | "Closed";
export type BankLGDocumentType = "None" | "LetterOfGuarantee";
export type CLMIntegrationContractAccountType = "Vend" | "Cust" | "Party";
export type CLMIntegrationContractStatus =
  | "Draft"
  | "WaitingForApproval"
  | "Approved"
  | "Rejected"
  | "WaitingForSignatures"
  | "WaitingForExternalSignatures"
  | "WaitingForInternalSignatures"
  | "Executed"
  | "Terminated"
  | "Expired"
  | "OnHold"
  | "Cancelled"
  | "WaitingForReview"
  | "Reviewed";
export type CLMIntegrationPurchaseAgreementOwnershipType = "SCM" | "CLM";
export type CommitmentType = "ProductQuantity" | "ProductVolume" | "ProductCategory" | "ProductRootCategory";
export type CompanyType_MX = "Blank" | "LegalEntity" | "LegalPerson" | "ForeignCompany";
export type CreditCardCreditCheck = "Normal" | "ByPass";
export type CreditCardPaymentType = "NA" | "CreditCard";
export type CustVendPaymStatus =
  | "None"
  | "Sent"
  | "Recieved"
  | "Confirmed"
  | "Rejected"
  | "Delete"
  | "SentDelete"
  | "Deleted";
export type CustVendorBlocked = "No" | "Invoice" | "All" | "Payment" | "Requisition" | "Never" | "PurchOrder";
export type CustomInventTransStatus_RU = "Empty" | "Purchased" | "Ordered";
export type DMFBatchJobStatus =
  | "NotStarted"
  | "Hold"
  | "Waiting"
  | "Executing"
  | "Error"
  | "Finished"
  | "Ready"
  | "NotRun"
  | "Cancelling"
  | "Canceled";
export type DMFChangeTrackingType = "PrimaryTable" | "ALL" | "CustomQuery" | "None";
export type DMFModule =
  | "SystemAdministration"
  | "AccountsPayable"
  | "AccountsReceivable"
  | "GeneralLedger"
  | "FiscalBooks_BR"
  | "Budgeting"
  | "CostAccounting"
  | "FixedAssets"
  | "RAsset"
  | "CashAndBankManagement"
  | "TravelAndExpense"
  | "ComplianceAndInternalControls"
  | "HRM"
  | "Payroll"
  | "ProcurementAndSourcing"
  | "ProductInformationManagement"
  | "MasterPlanning"
  | "ProductionControl"
  | "InventoryAndWarehouseManagement"
  | "SalesAndMarketing"
  | "ProjectManagementAndAccounting"
  | "ServiceManagement"
  | "OrganizationAdministration"
  | "ISV"
  | "GAB"
  | "Currency"
  | "IoTIntelligence"
  | "FinancialDimensions"
  | "RetailMain"
  | "APARShared"
  | "CostManagement"
  | "CreditCollections"
  | "EMPAShared"
  | "Employee_RU"
  | "Other"
  | "Retail"
  | "Tax"
  | "Transportation"
  | "WMS"
  | "Workflow"
  | "Customer"
  | "EInvoice"
  | "ElectronicMessages"
  | "FinancialReporting"
  | "PublicSector"
  | "RCashFlowManagement"
  | "RDeferrals"
  | "RSalesPurchBooks"
  | "RTax25"
  | "Vendor"
  | "ChannelManagement"
  | "BrickAndMortarStore"
  | "CallCenter"
  | "OnlineStore"
  | "Merchandising"
  | "CommerceCustomers"
  | "CommerceEmployees"
  | "InventoryAndAdvancedWarehouse"
  | "Payments"
  | "TransactionsAndOrders"
  | "WebActivity"
  | "CommerceMiscellaneous"
  | "CashManagement"
  | "AssetLease"
  | "CostAccountingService"
  | "CredMan"
  | "EngineeringChangeManagement"
  | "AssetManagement";
export type DMFOperationType = "Export" | "Import" | "All" | "Company";
export type DMFProjectCategory = "Project" | "Configuration" | "Integration" | "Other" | "CDS";
export type DMFRefreshType = "IncrementalPush" | "FullPush";
export type DetailSummary = "Detail" | "Summary";
export type DirPersonMaritalStatus = "None" | "Single" | "Married" | "Divorced" | "Widowhood";
export type DiscountOffsetMethod = "AccountReceived" | "InvoiceAccount";
export type EFDocPresenceType_BR = "DoesNotApply" | "InPerson" | "Internet" | "Telesales" | "InPersonOut" | "Others";
export type EcoResProductSubtype = "Product" | "ProductMaster" | "ProductVariant";
export type EntityCategory = "Master" | "Configuration" | "Transaction" | "Reference" | "Document" | "Parameters";
export type Gender = "Unknown" | "Male" | "Female" | "NonSpecific";
export type GenderMaleFemale = "Male" | "Female";
export type ITMVendType = "None" | "ShipVend" | "CustomsBroker" | "Agent";
export type InventCountingGroup_BR = "OwnStockInOtherPower" | "OwnStock" | "OtherStock";
export type InventLocationType = "Standard" | "Quarantine" | "Transit" | "GoodsInRoute_RU" | "ITMGIT" | "ITMUnder";
export type InventProfileType_RU =
  | "NotSpecified"
  | "General"
  | "CommissionAgent"
  | "CommissionPrincipalAgent"
  | "Bailee";
export type InvestorType = "None" | "Owner" | "Broker";
export type ItemType = "Item" | "DEL_BOM" | "Service" | "DEL_Formula" | "DEL_Asset_RU";
export type JmgJobPayTypeEnum = "Empty" | "Hours" | "PieceRate";
export type LedgerJournalACType =
  | "Ledger"
  | "Cust"
  | "Vend"
  | "Project"
  | "FixedAssets"
  | "Bank"
  | "FixedAssets_RU"
  | "Employee_RU"
  | "RDeferrals"
  | "RCash";
export type LegalNature_IT =
  | "LN1"
  | "LN2"
  | "LN3"
  | "LN4"
  | "LN5"
  | "LN6"
  | "LN7"
  | "LN8"
  | "LN9"
  | "LN10"
  | "LN11"
  | "LN12"
  | "LN13"
  | "LN14"
  | "LN15"
  | "LN16"
  | "LN17"
  | "LN18"
  | "LN19"
  | "LN20"
  | "LN21"
  | "LN22"
  | "LN23"
  | "LN24"
  | "LN25"
  | "LN26"
  | "LN27"
  | "LN28"
  | "LN29"
  | "LN50"
  | "LN51"
  | "LN52"
  | "LN53"
  | "LN54"
  | "LN55"
  | "LN56"
  | "LN57"
  | "LN58"
  | "LN30"
  | "LN31"
  | "LN32"
  | "LN33"
  | "LN34"
  | "LN35"
  | "LN36"
  | "LN37"
  | "LN38"
  | "LN39"
  | "LN40"
  | "LN41"
  | "LN42"
  | "LN43"
  | "LN44"
  | "LN59";
export type LogisticsLocationRoleType =
  | "None"
  | "Invoice"
  | "Delivery"
  | "SWIFT"
  | "Payment"
  | "Service"
  | "Home"
  | "Other"
  | "Business"
  | "RemitTo"
  | "Statement"
  | "FixedAsset"
  | "OneTime"
  | "Recruit"
  | "SMS"
  | "Lading_W"
  | "Unlading_W"
  | "HeadCompany_IT"
  | "StableOrganization_IT"
  | "PayrollResidencyLocation"
  | "PayrollWorkLocation"
  | "RealAddress_RU"
  | "Consignment_IN";
export type MCRPaymSchedMiscChargeDist = "Proportional" | "FirstRate" | "LastRate";
export type MonthsOfYear =
  | "None"
  | "January"
  | "February"
  | "March"
  | "April"
  | "May"
  | "June"
  | "July"
  | "August"
  | "September"
  | "October"
  | "November"
  | "December";
export type NatureOfAssessee_IN =
  | "Company"
  | "HUF"
  | "Firm"
  | "Individual"
  | "AOP"
  | "BOI"
  | "LocalAuthority"
  | "Others";
export type NetCurrent = "Net" | "CurrentMth" | "CurrentQuart" | "CurrentYear" | "CurrentWeek" | "COD" | "CutOffDate";
export type NoYes = "No" | "Yes";
export type NoYesError = "No" | "Yes" | "Error";
export type PANStatus_IN = "NotAvailable" | "Received" | "Applied" | "Invalid";
export type PSAConstraintType =
  | "AsLateAsPossible"
  | "AsSoonAsPossible"
  | "FinishNoEarlierThan"
  | "FinishNoLaterThan"
  | "MustFinishOn"
  | "MustStartOn"
  | "StartNoEarlierThan"
  | "StartNoLaterThan";
export type PSAInvoiceMethod = "Progress" | "cap" | "Milestone" | "Schedule";
export type PSAPReqControl = "None" | "Warning" | "Control";
export type PSAPReqValidate = "Amount" | "HoursQty";
export type PSAProjStatus = "Active" | "OnHold" | "Finished";
export type PSAProjTask = "Project" | "Task";
export type PSAProjTimeMeasure = "Hour" | "Unit";
export type PSAProjTrackCost = "Actual" | "Standard";
export type PSAResSchedStatus =
  | "NoRequirements"
  | "NotScheduled"
  | "PartiallyScheduled"
  | "FullyScheduled"
  | "HasConflict"
  | "Complete";
export type PaymSchedBy = "Total" | "AmountByPayment" | "NumOfPayment" | "Specified";
export type PaymSchedTaxDistribution = "Proportional" | "FirstRate" | "LastRate";
export type PaymSumBy = "Invoice" | "TransDate" | "Week" | "Total";
export type PaymentDueDateUpdatePolicy = "NoUpdate" | "Next" | "Previous";
export type PaymentType = "Blank" | "Check" | "ElectronicPayment" | "PromissoryNote";
export type PaymentType_MX =
  | "Cash"
  | "Check"
  | "Transfer"
  | "CreditCard"
  | "ElectronicWallet"
  | "ElectronicMoney"
  | "DigitalCards"
  | "FoodVoucher"
  | "Goods"
  | "Service"
  | "ThirdParty"
  | "DebtPayment"
  | "Subrogation"
  | "Consignment"
  | "DebtCancellation"
  | "Cancellation"
  | "Compensation"
  | "Novation"
  | "Confusion"
  | "DebtRelief"
  | "PrescriptionOrExpiration"
  | "SatisfactionOfCreditor"
  | "DebitCard"
  | "ServiceCard"
  | "AdvanceApplication"
  | "Blank"
  | "Other"
  | "IntermediaryPayment";
export type PeriodUnit = "Day" | "Month" | "Year" | "All";
export type Posting_BR = "None" | "Vendor" | "Bank";
export type PrimaryMethod_BR = "Blank" | "Duplicate" | "Check" | "Promissory" | "Receipt" | "Other";
export type ProdRAFPostingMethodInherit = "Inherit" | "Immediate" | "Deferred";
export type ProjBudgetInterval = "ProjectToDate" | "YearToDate" | "TotalYear" | "CurrentPeriod" | "TotalBudget";
export type ProjBudgetManagement = "None" | "Independent";
export type ProjBudgetOverrunOption = "DisallowOverruns" | "WarnOfOverruns" | "AllowOverruns";
export type ProjBudgetaryControlOn = "RevenuesAndCosts" | "CostsOnly" | "RevenuesOnly";
export type ProjLedgerPosting = "GroupId" | "Categories";
export type ProjLinePropertySearch = "Project" | "Category";
export type ProjStatus =
  | "Created"
  | "Estimated"
  | "Scheduled"
  | "InProcess"
  | "User1"
  | "User2"
  | "User3"
  | "Completed";
export type ProjType = "TimeMaterial" | "FixedPrice" | "Investment" | "Cost" | "Internal" | "Time" | "None";
export type PurchAgreementType_PSN = "Other" | "Complete" | "MAPA";
export type PurchAgreementWorkflowStatus =
  | "Draft"
  | "Submitted"
  | "Approved"
  | "PendingApproval"
  | "NotSubmitted"
  | "Rejected"
  | "ChangeRequested"
  | "Pending"
  | "Cancellation"
  | "PendingCompletion"
  | "Completed"
  | "PendingCancellation"
  | "None"
  | "Returned";
export type PurchMatchingPolicyWithNotSetOption = "NotSet" | "ThreeWayMatch" | "TwoWayMatch" | "NoMatch";
export type RetailRoundingTypeBase = "Up" | "Down" | "Nearest";
export type RetailSalesPriceRoundingBase = "None" | "Rounding" | "PricePoints";
export type RetailVendTypeBase = "None" | "Own" | "ThirdParty" | "Concession";
export type RoundOffType = "Ordinary" | "RoundDown" | "RoundUp";
export type SysLocalizationCountryRegionCode =
  | "Default"
  | "None"
  | "BE"
  | "BR"
  | "CA"
  | "CZ"
  | "DE"
  | "EE"
  | "ES"
  | "FR"
  | "GB"
  | "HU"
  | "IE"
  | "IN"
  | "IT"
  | "JP"
  | "LT"
  | "LV"
  | "MX"
  | "NL"
  | "NO"
  | "PL"
  | "RU"
  | "SA"
  | "TH"
  | "US"
  | "AU"
  | "CN"
  | "DK"
  | "FI"
  | "MY"
  | "SG"
  | "ZA"
  | "SE"
  | "CH"
  | "IS"
  | "AT";
export type Tax1099NameChoice = "VendorName" | "DBA";
export type Tax1099Type = "F1099DIV" | "F1099INT" | "F1099MISC" | "F1099OID" | "F1099G" | "F1099S" | "F1099NEC";
export type TaxIDType = "Unknown" | "EIN" | "SSN" | "ITIN" | "ATIN";
export type TaxWithholdVendorType_TH = "Blank" | "Domestic" | "Foreign" | "Individual";
export type Timezone =
  | "GMTMINUS1200INTERNATIONALDATELINEWEST"
  | "GMTMINUS1100COORDINATEDUNIVERSALTIME"
  | "GMTMINUS1100MIDWAYISLAND_SAMOA"
  | "GMTMINUS1000HAWAII"
  | "GMTMINUS0900ALASKA"
  | "GMTMINUS0800PACIFICTIME"
  | "GMTMINUS0800TIJUANA_BAJACALIFORNIA"
  | "GMTMINUS0700ARIZONA"
  | "GMTMINUS0700MOUNTAINTIME"
  | "GMTMINUS0700CHIHUAHUA_LAPAZ_MAZATLAN"
  | "GMTMINUS0600CENTRALAMERICA"
  | "GMTMINUS0600CENTRALTIME"
  | "GMTMINUS0600GUADALAJARA_MEXICOCITY"
  | "GMTMINUS0600SASKATCHEWAN"
  | "GMTMINUS0500BOGOTA_LIMA_QUITO_RIOBRANCO"
  | "GMTMINUS0500EASTERNTIME"
  | "GMTMINUS0500INDIANA"
  | "GMTMINUS0500CHETUMAL"
  | "GMTMINUS0400ASUNCION"
  | "GMTMINUS0400ATLANTICTIME"
  | "GMTMINUS0400LAPAZ"
  | "GMTMINUS0400MANAUS"
  | "GMTMINUS0300SANTIAGO"
  | "GMTMINUS0430CARACAS"
  | "GMTMINUS0330NEWFOUNDLAND"
  | "GMTMINUS0300_SALVADOR"
  | "GMTMINUS0300BRASILIA"
  | "GMTMINUS0300BUENOSAIRES"
  | "GMTMINUS0300BUENOSAIRES_GEORGETOWN"
  | "GMTMINUS0300GREENLAND"
  | "GMTMINUS0300MONTEVIDEO"
  | "GMTMINUS0200MIDATLANTIC"
  | "GMTMINUS0100AZORES"
  | "GMTMINUS0100CAPEVERDIS"
  | "GMT_CASABLANCA"
  | "GMT_CASABLANCA_MONTROVIA_REYKJAVIK"
  | "GMT_COORDINATEDUNIVERSALTIME"
  | "GMT_DUBLIN_EDINBURGH_LISBON_LONDON"
  | "GMT_PLUS0300KALININGRAD_MINSK"
  | "GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME"
  | "GMTPLUS0100BELGRADE_BRATISLAVA_BUDAPEST"
  | "GMTPLUS0100BRUSSELS_COPENHAGEN_MADRID"
  | "GMTPLUS0100SARAJEVO_SKOPJE_WARSAW_ZAGREB"
  | "GMTPLUS0100TRIPOLI"
  | "GMTPLUS0100WESTCENTRALAFRICA"
  | "GMTPLUS0200_DAMASCUS"
  | "GMTPLUS0200AMMAN"
  | "GMTPLUS0200ATHENS_BUCHAREST_ISTANBUL"
  | "GMTPLUS0200BEIRUT"
  | "GMTPLUS0200MINSK"
  | "GMTPLUS0200CAIRO"
  | "GMTPLUS0200HARARE_PRETORIA"
  | "GMTPLUS0200HELSINKI_KYIV_RIGA_VILNIUS"
  | "GMTPLUS0300ISTANBUL"
  | "GMTPLUS0200JERUSALEM"
  | "GMTPLUS0200WINDHOEK"
  | "GMTPLUS0300BAGHDAD"
  | "GMTPLUS0300KUWAIT_RIYADH"
  | "GMTPLUS0300MOSCOW_STPETERSBURG_VOLGOGRAD"
  | "GMTPLUS0300NAIROBI"
  | "GMTPLUS0300TBILISI"
  | "GMTPLUS0330TEHRAN"
  | "GMTPLUS0400ABUDHABI_MUSCAT"
  | "GMTPLUS0400BAKU"
  | "GMTPLUS0400IZHEVSK_SAMARA"
  | "GMTPLUS0400CAUCASUSSTANDARDTIME"
  | "GMTPLUS0400PORTLOUIS"
  | "GMTPLUS0400YEREVAN"
  | "GMTPLUS0430KABUL"
  | "GMTPLUS0500EKATERINBURG"
  | "GMTPLUS0500ISLAMABAD_KARACHI"
  | "GMTPLUS0500ISLAMABAD_KARACHI_TASHKENT"
  | "GMTPLUS0530CHENNAI_KOLKATA_MUMBAI"
  | "GMTPLUS0530SRIJAYAWARDENEPURA"
  | "GMTPLUS0545KATHMANDU"
  | "GMTPLUS0600ALMATY_NOVOSIBIRSK"
  | "GMTPLUS0600ASTANA_DHAKA"
  | "GMTPLUS0600DHAKA"
  | "GMTPLUS0600MAGADAN"
  | "GMTPLUS0630_YANGON"
  | "GMTPLUS0700_BANGKOK_HANOI_JAKARTA"
  | "GMTPLUS0700KRASNOYARSK"
  | "GMTPLUS0800_ULAANBAATAR"
  | "GMTPLUS0800BEIJING_CHONGQING_HONGKONG"
  | "GMTPLUS0800IRKUTSK_ULAANBATAAR"
  | "GMTPLUS0800KUALALUMPUR_SINGAPORE"
  | "GMTPLUS0800PERTH"
  | "GMTPLUS0800TAIPEI"
  | "GMTPLUS0900OSAKA_SAPPORO_TOKYO"
  | "GMTPLUS0900SEOUL"
  | "GMTPLUS0900YAKUTSK"
  | "GMTPLUS0930ADELAIDE"
  | "GMTPLUS0930DARWIN"
  | "GMTPLUS1000BRISBANE"
  | "GMTPLUS1000CANBERRA_MELBOURNE_SYDNEY"
  | "GMTPLUS1000GUAM_PORTMORESBY"
  | "GMTPLUS1000HOBART"
  | "GMTPLUS1000VLADIVOSTOK"
  | "GMTPLUS1100CHOKURDAKH"
  | "GMTPLUS1100MAGADAN_SOLOMONIS"
  | "GMTPLUS1200ANADYR_PETRO_KAMCHATSKY"
  | "GMTPLUS1200AUCKLAND_WELLINGTON"
  | "GMTPLUS1200COORDINATEDUNIVERSALTIME"
  | "GMTPLUS1200FIJI_KAMCHATKA_MARSHALLIS"
  | "GMTPLUS1300NUKU_ALOFA";
export type TypeOfDraft = "NoDraft" | "NoAcceptance" | "Acceptance" | "Promissory" | "BankAcceptance";
export type UnitOfMeasureClass =
  | "Quantity"
  | "Length"
  | "Area"
  | "LiquidVolume"
  | "DryVolume"
  | "Mass"
  | "Time"
  | "Monetary"
  | "Temperature"
  | "InformationEntropy"
  | "Luminance"
  | "Speed"
  | "Acceleration"
  | "Angle"
  | "SolidAngle"
  | "Force"
  | "Pressure"
  | "Torque"
  | "Energy"
  | "Power"
  | "AngularMomentum"
  | "Capacitance"
  | "Density"
  | "ElectricCurrent"
  | "MagneticField"
  | "MagneticFlux"
  | "ElectricCharge"
  | "ElectricDipole"
  | "ElectricPotential"
  | "ElectricalResistance"
  | "Inductance"
  | "DynamicViscosity"
  | "KinematicViscosity"
  | "Radioactivity"
  | "Undefined";
export type UnitOfMeasureCodeSymbol =
  | "Pieces"
  | "Feet"
  | "Inches"
  | "Yards"
  | "Centimeters"
  | "Meters"
  | "Millimeters"
  | "Gallons"
  | "Liters"
  | "Ounces"
  | "TroyOunces"
  | "Pounds"
  | "Grams"
  | "Kilograms"
  | "Milliseconds"
  | "Seconds"
  | "Minutes"
  | "Hours"
  | "Days"
  | "Weeks"
  | "Months"
  | "Years"
  | "Tonnes";
export type UnitOfMeasureSystemOfUnits = "None" | "Metric" | "US";
export type UseCashDisc = "Normal" | "Always" | "Never";
export type VATChargeSource_RU = "VendorFunds" | "OwnFunds";
export type VATPartnerKind_RU = "NA" | "NonResident" | "StateStructure";
export type VendCISStatus = "None" | "Gross" | "Standard" | "Higher";
export type VendRequestRoleType = "None" | "Admin" | "Clerk";
export type VendVendorCollaborationType = "Disabled" | "WithoutAutoConfirmation" | "WithAutoConfirmation";
export type VendorOperationType_MX = "Blank" | "ProServices" | "RentLease" | "Other";
export type VendorType_MX = "Blank" | "DomesticVendor" | "ForeignVendor" | "DomesticGlobal";
export type WHSAllowMarkingReservationRemoval = "None" | "Reservation" | "MarkingReservation";
export type WHSAutoUpdateShipment = "OnQuantityDecrease" | "Always";
export type WHSCoordinatesRetrievalStrategy = "Location";
export type WHSDistanceCalculationStrategy = "StraightLine" | "CityBlock";
export type WHSLoadReleaseReservationPolicy = "Error" | "Warning";
export type WHSRawMaterialPolicy = "Pick" | "Reserve";
export type WHSReleaseRuleFailureOption = "WarningSkipLine" | "ErrorSkipOrder";
export type WHSReleaseToWarehouseRule = "NotApplicable" | "AllowPartialReservation" | "RequireFullReservation";
export type WHSSpatialLocationSortingStrategy = "FastCalculation" | "OptimizedRoute";
export type WMSFreightChargeTerms = "Prepaid" | "Collect" | "ThirdParty" | "Nofreight" | "ConsigneeParty";
export type smmSensitivity = "Normal" | "Personal" | "Privat" | "Confidential";
